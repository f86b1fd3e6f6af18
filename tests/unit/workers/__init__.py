"""Tests of workers/ without servers."""
