"""The demo company: two years of a Chinese industrial supplier, simulated through the product's own services.

Everything is invented, seeded and marked as sample. What the simulator plants on purpose is in `truths`, and
told in docs/demo.md.
"""
