"""Contracts and their milestones; later products, price books, quotes and payments."""
