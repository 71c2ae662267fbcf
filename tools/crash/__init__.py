"""`make crash`: processes are killed at every step of a deployment; one run mends it all."""
