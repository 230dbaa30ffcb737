"""What we own, and the table files it comes in."""
