"""GPU hosts on EC2, on moto behind a proxy that strikes."""
