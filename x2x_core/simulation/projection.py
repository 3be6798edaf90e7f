"""Projection of volumes to frontal radiographs: rays, pose, body shape and elastic variation."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F

from x2x_core.common.randomness import uniform

#: The chest lies above the middle of a CT that extends into the abdomen.
_CHEST_SHIFT_MM = -22.0


@dataclass(frozen=True)
class Geometry:
    """Pose and body shape of the patient, and course of the rays. Angles in degrees, lengths in mm."""

    field_mm: float = 360.0  # width of the field of view, at the patient's middle
    source_mm: float | None = 1800.0  # from the source to the detector; ``None``: parallel rays
    shift_x: float = 0.0  # of the patient in the image, to the right
    shift_z: float = 0.0  # of the patient in the image, downwards
    yaw: float = 0.0  # about the long axis
    pitch: float = 0.0  # forwards (lordotic views are negative)
    roll: float = 0.0  # in the image plane
    scale_x: float = 1.0  # of the body's width
    scale_y: float = 1.0  # of its depth
    scale_z: float = 1.0  # of its height
    elastic_mm: float = 0.0  # standard deviation of a smooth random displacement

    def as_dict(self) -> dict[str, float | None]:
        """Return the attributes by name."""
        return asdict(self)


def sample_geometry(generator: torch.Generator) -> Geometry:
    """Draw a pose, a body shape and a view."""

    def draw(low: float, high: float) -> float:
        return uniform(low, high, generator)

    wide = draw(0, 1) < 0.3
    source = [None, 1000.0, 1800.0][int(torch.randint(3, (), generator=generator))]
    return Geometry(
        field_mm=draw(390, 460) if wide else draw(295, 390),
        source_mm=source,
        shift_x=draw(-22, 22),
        shift_z=draw(-35, 45) if wide else draw(-20, 30),
        yaw=draw(-7, 7),
        pitch=draw(-8, 8),
        roll=draw(-4, 4),
        scale_x=draw(0.86, 1.14),
        scale_y=draw(0.85, 1.15),
        scale_z=draw(0.82, 1.12),
        elastic_mm=draw(2, 9),
    )


def ray_grid(
    shape: tuple[int, int, int],
    spacing: tuple[float, float, float],
    geometry: Geometry,
    size: int,
    generator: torch.Generator,
    step_mm: float = 3.0,
) -> torch.Tensor:
    """Compute the sampling points of the rays of a `size` x `size` detector.

    Args:
        shape: of the volume, `(Z, Y, X)`.
        spacing: mm per voxel along z, y and x.
        geometry: pose, body shape and view.
        size: width and height of the detector in pixels.
        generator: draws the elastic variation.
        step_mm: distance between sampling planes.

    Returns:
        `(K, size, size, 3)` float32 in `grid_sample` coordinates (x, y, z in [-1, 1]); plane k lies `step_mm` behind
        plane k-1, along y from front to back.
    """
    extent = [n * s for n, s in zip(shape, spacing)]
    depth = extent[1] * geometry.scale_y * 0.98
    y = torch.arange(-depth / 2, depth / 2, step_mm)
    pixels = (torch.arange(size, dtype=torch.float32) + 0.5) / size - 0.5
    magnified = torch.ones_like(y) if geometry.source_mm is None else 1 - y / geometry.source_mm
    u = pixels * geometry.field_mm
    x = (u - geometry.shift_x)[None, None, :] * magnified[:, None, None]
    z = (u - geometry.shift_z)[None, :, None] * magnified[:, None, None]
    full = (len(y), size, size)
    points = torch.stack([x.expand(full), y[:, None, None].expand(full), z.expand(full)], dim=-1)
    points = points @ _rotation(geometry).T
    points = points / torch.tensor([geometry.scale_x, geometry.scale_y, geometry.scale_z])
    points = points + _elastic(full, geometry.elastic_mm, generator)
    points = points + torch.tensor([0.0, 0.0, _CHEST_SHIFT_MM])
    return 2 * _neck(points, -extent[0] / 2) / torch.tensor(extent[::-1])


def _neck(points: torch.Tensor, top_mm: float) -> torch.Tensor:
    """Continue the first slice above the scan, narrowing from the shoulders into a neck."""
    above = ((top_mm + 12 - points[..., 2]) / 45).clamp(0, 1.3)
    points = points.clone()
    points[..., 0] *= 1 + 1.5 * above**1.5
    points[..., 1] *= 1 + 0.5 * above
    return points


def _rotation(geometry: Geometry) -> torch.Tensor:
    """Return the rotation of (x, y, z) by yaw (about z), pitch (about x) and roll (about y), `(3, 3)`."""
    a, b, c = (torch.deg2rad(torch.tensor(v)) for v in (geometry.yaw, geometry.pitch, geometry.roll))
    one, zero = torch.tensor(1.0), torch.tensor(0.0)

    def rows(*values: tuple[torch.Tensor, ...]) -> torch.Tensor:
        return torch.stack([torch.stack(row) for row in values])

    yaw = rows((a.cos(), -a.sin(), zero), (a.sin(), a.cos(), zero), (zero, zero, one))
    pitch = rows((one, zero, zero), (zero, b.cos(), -b.sin()), (zero, b.sin(), b.cos()))
    roll = rows((c.cos(), zero, -c.sin()), (zero, one, zero), (c.sin(), zero, c.cos()))
    return yaw @ pitch @ roll


def _elastic(full: tuple[int, int, int], spread_mm: float, generator: torch.Generator) -> torch.Tensor:
    """Draw a smooth displacement in mm, `(*full, 3)`."""
    coarse = torch.randn((1, 3, 4, 6, 6), generator=generator) * spread_mm
    field = F.interpolate(coarse, size=full, mode="trilinear", align_corners=True)
    return field[0].permute(1, 2, 3, 0)


def project(volumes: torch.Tensor, grid: torch.Tensor, step_mm: float = 3.0) -> torch.Tensor:
    """Integrate volumes `(C, Z, Y, X)` along the rays of `grid`: `(C, size, size)`, in mm of water.

    The first and last slice continue above and below the scan; beside it there is air.
    """
    total = torch.zeros(volumes.shape[0], *grid.shape[1:3])
    for planes in grid.split(8):
        x = planes[..., 0]
        sampled = F.grid_sample(
            volumes[None], planes[None], mode="bilinear", padding_mode="border", align_corners=False
        )
        inside = (1 - (x.abs() - 1).clamp_min(0) * 40).clamp(0, 1)
        total += (sampled[0] * inside).sum(1)
    return total * step_mm
