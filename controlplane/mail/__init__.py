"""Mail: letters, the outbox they wait in, and the SMTP line they leave by."""
