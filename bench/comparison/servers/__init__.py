"""Kurir and those it is compared with, each in a folder of its own, durable, counted as a group."""
