"""What one module does, without a server."""
