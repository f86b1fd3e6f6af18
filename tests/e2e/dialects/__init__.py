"""What holds of all dialects alike."""
