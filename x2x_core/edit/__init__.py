"""The stages of an edit, from the checked call to the composed image; `x2x_core.pipeline` lists them in order.

- Settings and arguments: `settings` (of the mask: `x2x_core.guidance.mask_settings`), `setting_rules`, `recommended`,
  `arguments`, `signature`.
- The door: `request`, with `reading`, `argument_checks`, `prompt_checks`, `draw_checks` and `stage_inputs`.
- The stages, which `running` calls in order: `region`, `placing`, `encoding`, `looking`, `denoising`, `composing`. What
  they hand on: `state`, `outputs`.
- Models: `backbones`, `editor`; `scales`.
- The arithmetic: `decoding`, `background`, `composition`, `published`.
- Checkpoints: `loading`, `saved_pseudomasks`.
"""
