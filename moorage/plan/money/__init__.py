"""What it costs, at which price, and whether that is paid for."""
