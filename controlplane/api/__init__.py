"""Routes: parse, call one operation, answer; also who is calling, what errors look like, and the change feed."""
