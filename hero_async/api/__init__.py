"""One module a subject: its models and its resource class. Adding an operation is adding a method."""
