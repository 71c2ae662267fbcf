"""What follows from the shapes of a package beside its running: names, classes and pages."""
