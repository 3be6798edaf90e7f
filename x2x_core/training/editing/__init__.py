"""Training of the editing model: a U-Net that follows instructions, in the manner of InstructPix2Pix."""
