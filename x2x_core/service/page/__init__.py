"""The page of a service, for people who install nothing; it asks for nothing but the service's own files."""
