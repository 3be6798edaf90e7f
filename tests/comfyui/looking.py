"""Checks of what a user sees: overlapping or truncated nodes, empty pictures, edits outside their mask."""

from __future__ import annotations

import numpy as np

TITLE = 30  # height of a node's title bar, above its place
EDITS = {"X2XEdit": ("image", 0, ("out", 2)), "X2XNativeCompose": ("image", 0, ("in", "guidance_mask"))}


def overlaps(nodes: list[dict]) -> list[tuple[str, str]]:
    """Return pairs of overlapping nodes."""
    return [
        (one["title"], other["title"])
        for number, one in enumerate(nodes)
        for other in nodes[number + 1 :]
        if _meet(one, other)
    ]


def _meet(one: dict, other: dict) -> bool:
    return all(
        one["pos"][axis] - shift < other["pos"][axis] + other["size"][axis]
        and other["pos"][axis] - shift < one["pos"][axis] + one["size"][axis]
        for axis, shift in ((0, 0), (1, TITLE))
    )


def cut_off(nodes: list[dict]) -> list[str]:
    """Return nodes that are too small for their widgets and sockets."""
    return [
        f"{node['title']}: {node['size']} of {node['needs']}"
        for node in nodes
        if node["type"] != "MarkdownNote" and any(has < needs - 1 for has, needs in zip(node["size"], node["needs"]))
    ]


def drawn_share(before: np.ndarray, after: np.ndarray, place: dict) -> float:
    """Return the fraction of a node's area on the screen that changed, [0, 1].

    Args:
        before, after: the screen, `(H, W, 3)` uint8.
        place: the node's left, top, width and height in pixels.
    """
    left, top = round(place["left"]), round(place["top"])
    spot = slice(top, top + round(place["height"])), slice(left, left + round(place["width"]))
    change = np.abs(after[spot].astype(int) - before[spot]).max(axis=-1)
    return float((change > 12).mean())


def with_probes(graph: dict) -> tuple[dict, list[tuple[str, str, str]]]:
    """Add previews of the input, output and mask of each edit to a graph in API format.

    Returns:
        The graph, and for each edit the ids of its three previews: before, after, mask.
    """
    probed, probes = dict(graph), []
    for number, node in graph.items():
        if node["class_type"] not in EDITS:
            continue
        image, edited, (way, mask) = EDITS[node["class_type"]]
        mask = node["inputs"][mask] if way == "in" else [number, mask]
        ids = tuple(f"{number}-{name}" for name in ("before", "after", "mask"))
        probed[ids[0]] = {"class_type": "PreviewImage", "inputs": {"images": node["inputs"][image]}}
        probed[ids[1]] = {"class_type": "PreviewImage", "inputs": {"images": [number, edited]}}
        probed[ids[2]] = {"class_type": "MaskPreview", "inputs": {"mask": mask}}
        probes.append(ids)
    return probed, probes


def check_edit(before: np.ndarray, after: np.ndarray, mask: np.ndarray) -> None:
    """Check that nothing changed outside the mask, something changed inside, and the mask covers part of the image.

    Args:
        before, after: `(H, W, 3)` uint8.
        mask: `(h, w, 3)` uint8, white is where the image may change; its sides divide the image's.
    """
    assert before.shape == after.shape
    rows, columns = before.shape[0] // mask.shape[0], before.shape[1] // mask.shape[1]
    editable = np.kron(mask[..., 0] >= 128, np.ones((rows, columns), bool))
    assert editable.shape == before.shape[:2]
    changed = (before != after).any(axis=-1)
    assert 0.005 < editable.mean() < 0.6
    assert not changed[~editable].any()
    assert changed[editable].mean() > 0.2
    assert np.abs(after.astype(int) - before)[editable].max() >= 8
