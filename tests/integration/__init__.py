"""What needs a real PostgreSQL or Valkey."""
