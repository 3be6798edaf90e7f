"""What the nodes do behind their sockets."""
