"""What is left when a gateway dies: SIGKILL at every named point of its path, and at any moment under load."""
