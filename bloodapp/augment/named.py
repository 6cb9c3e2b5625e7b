"""The pipelines that ship with the app, by name: the five teams' and our own.

What a report left open is chosen here and said in `why`. The texts are read by `pipelines.parse`;
a name may stand inside another text.
"""

from dataclasses import dataclass

NONE = "none"


@dataclass(frozen=True)
class NamedPipeline:
    """A pipeline that ships with the app.

    Attributes:
        name: as typed.
        title: as read.
        text: the pipeline.
        why: what it is for, in a sentence.
        family: whose it is, the heading that it stands under.
    """

    name: str
    title: str
    text: str
    why: str
    family: str


_OURS, _R0, _R1 = "Our own", "R0 · Hyper Parameters Guessers", "R1 · Los Pinguinos"
_R2, _R3, _R4 = "R2 · FORmidable", "R3 · FeedForward Force", "R4 · NeuralDropouts"

_NAMED = (
    NamedPipeline(
        NONE,
        "None",
        NONE,
        "The images as they are: the fastest, and the surest way to fail on another microscope.",
        _OURS,
    ),
    NamedPipeline(
        "gentle",
        "Gentle",
        "flip|rotate(180)|shift(0.05)|zoom(0.1)|brightness(0.05)|contrast(0.1)",
        "Turns, small moves and a little light: right for images from the same microscope and stain.",
        _OURS,
    ),
    NamedPipeline(
        "mixed",
        "Mixed",
        "flip|rotate(180)|sometimes(0.3; zoom(0.2)|shift(0.08))"
        "|sometimes(0.5; oneof(brightness(0.25)|contrast(0.35); channelshift(0.1); hue(0.04)|saturation(0.4)"
        "; channelshift(0.06)|contrast(0.4)))"
        "|sometimes(0.35; oneof(noise(25); blur(1.6); jpeg(15)|noise(10)))"
        "|sometimes(0.15; cutout(0.35))",
        "Half of the images nearly as they are, half changed in colour, focus or noise: for a short training.",
        _OURS,
    ),
    NamedPipeline(
        "robust",
        "Robust",
        "flip"
        "|oneof(none; rotate(180); rotate(180, edge); rotate(180, black)|shear(0.2)"
        "; rotate(90, white)|zoom(0.3, edge)|shift(0.15, edge); zoom(0.3)|shift(0.12))"
        "|oneof(none; none; brightness(0.3)|contrast(0.4); channelshift(0.125); hue(0.06)|saturation(0.6)"
        "; channelshift(0.075)|brightness(0.2)|contrast(0.5); grayscale|brightness(0.15); contrast(0.7)|hue(0.25)"
        "; randaugment(0.5, 2))"
        "|oneof(none; none; noise(35); blur(2.2); noise(15)|jpeg(15); jpeg(8); blur(1.2)|noise(20)"
        "; sharpness(0.8)|noise(12))"
        "|sometimes(0.4; cutout(0.45))",
        "Strong, mixed changes of geometry, colour, focus, noise, compression and cover: for images from elsewhere.",
        _OURS,
    ),
    NamedPipeline(
        "r0a",
        "R0 A, geometry",
        "rotate(20)|flip|crop(0.2)|zoom(0.2)",
        "Rotation, both flips, resize, crop and zoom; the strengths are not reported.",
        _R0,
    ),
    NamedPipeline(
        "r0b",
        "R0 B, colour",
        "brightness(0.2)|contrast(0.2)|hue(0.05)|channelshift(0.1)|grayscale(0.1)",
        "Brightness, contrast, hue, channel shift, now and then grey; the strengths are not reported.",
        _R0,
    ),
    NamedPipeline(
        "r0c",
        "R0 C, stretch",
        "scaleabs(1.5, 0)",
        "|1.5 · x| clipped, for every image alike: over 90 % at home and 31 % on the hidden set.",
        _R0,
    ),
    NamedPipeline(
        "r0d",
        "R0 D, RandAugment",
        "randaugment(0.32, 5)",
        "RandAugment of magnitude 0.32 with five operations an image: their final choice.",
        _R0,
    ),
    NamedPipeline(
        "r1",
        "R1, one of seven",
        "oneof(batch; r1a; r1b; r1c; r1d; r1e; r1f; r1g)",
        "One of seven pipelines for each batch; whether by batch or by image is not reported.",
        _R1,
    ),
    NamedPipeline("r1a", "R1 a, crop", "flip|crop(0.3)", "The first of the seven: flip and crop.", _R1),
    NamedPipeline("r1b", "R1 b, light", "flip|brightness(0.2)", "The second: flip and brightness.", _R1),
    NamedPipeline("r1c", "R1 c, contrast", "flip|contrast(0.3)", "The third: flip and contrast.", _R1),
    NamedPipeline("r1d", "R1 d, solarize", "flip|solarize(128)", "The fourth: flip and solarize.", _R1),
    NamedPipeline(
        "r1e", "R1 e, turn", "rotate(30)|shift(0.1)", "The fifth, of our choice: turn and shift.", _R1
    ),
    NamedPipeline(
        "r1f", "R1 f, colour", "flip|saturation(0.4)|hue(0.05)", "The sixth, of our choice: colour.", _R1
    ),
    NamedPipeline(
        "r1g",
        "R1 g, all of it",
        "flip|crop(0.2)|brightness(0.15)|contrast(0.2)|blur(0.8)",
        "The seventh, of our choice: crop, light and a soft focus together.",
        _R1,
    ),
    NamedPipeline(
        "r2",
        "R2",
        "randaugment(0.2, 3)|sharpness(0.5)|gridmask(0.4)|noise(12)",
        "RandAugment 0.2, sharpness, GridMask 0.4 and Gaussian noise, on the fly.",
        _R2,
    ),
    NamedPipeline(
        "r3",
        "R3, in the model",
        "flip(0.5, horizontal)|rotate(36)|zoom(0.1)|contrast(0.1)|noise(12.75, fixed)",
        "Horizontal flip, rotation, zoom and contrast 0.1, Gaussian noise 0.05: what stood inside their model.",
        _R3,
    ),
    NamedPipeline(
        "r3low",
        "R3, copies low",
        "augmix(0.1)|randaugment(0.1, 3)",
        "AugMix and RandAugment of strength 0.1, for copies made before training.",
        _R3,
    ),
    NamedPipeline(
        "r3medium",
        "R3, copies medium",
        "augmix(0.5)|randaugment(0.5, 3)",
        "The same of strength 0.5.",
        _R3,
    ),
    NamedPipeline(
        "r3hard", "R3, copies hard", "augmix(0.9)|randaugment(0.9, 3)", "The same of strength 0.9.", _R3
    ),
    NamedPipeline(
        "r4",
        "R4",
        "oneof(none; fouriermix; cutmix; randaugment(0.5, 3))",
        "FourierMix, CutMix and RandAugment beside the originals, a quarter of the images each.",
        _R4,
    ),
)

PIPELINES: dict[str, NamedPipeline] = {pipeline.name: pipeline for pipeline in _NAMED}
