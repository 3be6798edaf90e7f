"""Conversion of checkpoints between original single files of InstructPix2Pix and diffusers folders."""
