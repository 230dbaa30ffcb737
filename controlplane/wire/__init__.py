"""What crosses HTTP: msgspec for agents and invoices, pydantic for the rest; strict, extra fields forbidden."""
