"""What an operator looks at: one file per noun, and the frames they hang in."""
