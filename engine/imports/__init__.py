"""Reading the rows of an import (contract v3.md 3.8, 3.9): files in, checked rows and row errors out.

Reading knows no database and no HTTP, and holds no more than a batch of rows, whatever the file is.
"""
