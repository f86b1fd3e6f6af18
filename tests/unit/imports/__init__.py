"""Tests of engine/imports: files in, staged rows and row errors out."""
