"""Signing in: passwords, the second factor, sessions, and single sign-on."""
