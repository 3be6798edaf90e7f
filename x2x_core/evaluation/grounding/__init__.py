"""Grounding audit: does an answer follow the finding in the image, and nothing else?"""
