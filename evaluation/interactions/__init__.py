"""What people were shown, and what they did with it: from the query API to tables and files."""
