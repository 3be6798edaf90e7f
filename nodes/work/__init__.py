"""The work behind the nodes' sockets."""
