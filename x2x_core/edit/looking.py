"""The third stage of an edit: where the instruction matters to the model, and where it may change the image."""

from __future__ import annotations

import logging

import torch

from x2x_core.anatomy.areas import area_limits
from x2x_core.guidance import mask_rules
from x2x_core.guidance import relevance as interest
from x2x_core.guidance.attention.record import AttentionRecord
from x2x_core.guidance.attention.relevance import attention_record, join_relevance, relevance_from_attention
from x2x_core.guidance.attention.switching import rse_attention
from x2x_core.guidance.maps import guidance_map, guidance_mask

from .published import to_published_latents
from .settings import EditSettings
from .state import Edit, Guidance, Relevance, to_image

logger = logging.getLogger(__name__)

# Items of one U-Net call for the relevance map; more draws are made in several calls.
RELEVANCE_BATCH = 24


def draws_at_once(outputs: int) -> int:
    """Draws for each output in one U-Net call: each takes two items, with and without the instruction."""
    return max(1, RELEVANCE_BATCH // (2 * outputs))


class EditGuidance:
    """A part of `InstructX2XPipeline`, with its U-Net and tokenizer."""

    def _relevance(self, edit: Edit, settings: EditSettings) -> Relevance:
        """R and its uncertainty, from one batch of all draws at all noise levels."""
        scheduler = edit.scheduler
        schedule = scheduler.alphas_cumprod, scheduler.config.num_train_timesteps
        levels = interest.noise_levels(settings.relevance_noise_level, *schedule)
        clean = edit.condition * self.vae.config.scaling_factor
        noise = edit.relevance_noise.chunk(len(levels), dim=1)  # each level has draws of its own
        noisy = torch.cat(
            [interest.add_noise(clean[:, None], some, level.alpha_cumprod) for some, level in zip(noise, levels)], dim=1
        )
        of_each = [level for some, level in zip(noise, levels) for _ in range(some.shape[1])]
        draws = draws_at_once(len(noisy))
        record = self._attention_record(edit, settings)
        with rse_attention(self.unet, record):
            parts = [
                self._disagreement(edit, some, of_each[first : first + draws], scheduler.config.prediction_type)
                for first, some in zip(range(0, len(of_each), draws), noisy.split(draws, dim=1))
            ]
        valid = edit.canvas.shown_cells().to(clean.device)
        maps = interest.balance_levels(torch.cat(parts, dim=1).unflatten(1, (len(levels), -1)), valid)
        relevance_map, flat = interest.relevance_from_disagreement(maps, valid)
        uncertainty = interest.relevance_uncertainty(maps, valid)
        if record is not None:
            from_noise, uncertainty = relevance_map, None
            relevance_map, flat = relevance_from_attention(record.maps, edit.canvas.cells, valid)
            if settings.relevance_source == "both":
                relevance_map, flat = join_relevance(from_noise, relevance_map, valid)
        for number in flat.nonzero().flatten().tolist():
            logger.warning(
                "The relevance map of image %d is flat: the instruction makes no difference to the model, so there is "
                "nothing to edit.",
                number,
            )
        return Relevance(relevance_map, uncertainty)

    def _attention_record(self, edit: Edit, settings: EditSettings) -> AttentionRecord | None:
        """What watches the text branch of the relevance map's U-Net calls."""
        if settings.relevance_source == "noise":
            return None
        texts = self.maybe_convert_prompt(edit.wordings, self.tokenizer)  # as they are encoded: textual inversion
        copies = edit.request.num_images_per_prompt
        return attention_record(
            self.unet, self.tokenizer, texts, edit.instructions, edit.canvas.cells, edit.noise.device, copies
        )

    def _disagreement(
        self, edit: Edit, noisy: torch.Tensor, levels: list[interest.NoiseLevel], prediction_type: str
    ) -> torch.Tensor:
        """One U-Net call on noisy latents `(B, K, C, h, w)`, each of the K at its own noise level.

        Returns how far text and image branch differ, `(B, K, h, w)`.
        """
        outputs, draws = noisy.shape[:2]
        flat = noisy.flatten(0, 1)
        condition = edit.condition.repeat_interleave(draws, dim=0)
        two_branches = [
            values[: 2 * outputs].repeat_interleave(draws, dim=0)
            for values in (edit.prompt_embeds, *(edit.image_embeds or ()))
        ]
        prediction = self.unet(
            torch.cat([torch.cat([flat, condition], dim=1)] * 2),
            torch.tensor([level.timestep for level in levels], device=flat.device).repeat(2 * outputs),
            encoder_hidden_states=two_branches[0],
            added_cond_kwargs={"image_embeds": two_branches[1:]} if edit.image_embeds else None,
            cross_attention_kwargs=edit.request.cross_attention_kwargs,
            return_dict=False,
        )[0]
        text, image = (branch.unflatten(0, (outputs, draws)) for branch in prediction.chunk(2))
        found = []
        for k, level in enumerate(levels):
            noise = [
                interest.predicted_noise(branch[:, k], noisy[:, k], level.alpha_cumprod, prediction_type)
                for branch in (text, image)
            ]
            found.append(interest.noise_disagreement(*noise))
        return torch.cat(found, dim=1)

    def _guidance(
        self,
        edit: Edit,
        settings: EditSettings,
        pseudomask: torch.Tensor,
        parts: list[torch.Tensor | None] | None = None,
    ) -> Guidance:
        """Relevance map, guidance map and guidance mask within a pseudomask `(B, 1, H, W)`.

        `parts`: for each output the regions that each keep a piece of the mask, see `x2x_core.guidance.mask_rules`.
        """
        found = self._relevance(edit, settings)
        latent_map = found.map
        relevance_map = to_image(latent_map, edit.canvas)
        guidance = guidance_map(relevance_map, pseudomask)
        if settings.reference:
            mask = guidance_mask(guidance, settings.mask_threshold)
            latent_pseudomask = to_published_latents(edit.canvas.place(pseudomask), edit.canvas.cells)
            latent_guidance = guidance_map(latent_map.cpu(), latent_pseudomask)
            cells = guidance_mask(latent_guidance, settings.mask_threshold)
        else:
            limits = None
            if edit.request.pseudomask is None:  # else the caller says how much may change
                limits = [area_limits(one) for one in edit.wanted]
            mask = mask_rules.find_mask(guidance, pseudomask, settings.mask_settings, limits, parts)
            cells = edit.canvas.cells_of(mask)
        _warn_of_empty(mask, settings)
        uncertainty = to_image(found.uncertainty, edit.canvas)
        return Guidance(guidance, mask, cells.to(latent_map.device), relevance_map, pseudomask, uncertainty)


def _warn_of_empty(mask: torch.Tensor, settings: EditSettings) -> None:
    reason, remedy = "near 0", "check what was understood"
    if settings.mask_rule == "threshold":
        reason, remedy = f"under `mask_threshold` {settings.mask_threshold:g}", "lower the threshold"
    for number, empty in enumerate(~mask.flatten(1).any(dim=1)):
        if empty:
            logger.warning(
                "The guidance mask of image %d is empty: the guidance map stays %s everywhere. The image is given back "
                "unchanged; %s, or give a `pseudomask`.",
                number,
                reason,
                remedy,
            )
