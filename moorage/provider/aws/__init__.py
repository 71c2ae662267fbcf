"""GPU hosts on EC2, through AWS's own SDK."""
