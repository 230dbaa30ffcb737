"""What is owned, inspected and logged: pure rules and file readers."""
