"""Checkpoints from one layout to another: original single files of InstructPix2Pix, and diffusers folders."""
