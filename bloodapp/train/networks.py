"""Every network by name, without loading TensorFlow: what it is, how large, and how it wants its images.

How each is built is in `models`.
"""

from dataclasses import dataclass

from bloodapp.errors import NotFound

SCALINGS = ("own", "symmetric", "unit", "bytes", "caffe", "imagenet", "signed")
"""How an image in 0–255 is given to a backbone.

`own`: as its published weights want it. `symmetric`: to −1…1. `unit`: to 0…1. `bytes`: as it is. `caffe`: blue, green
and red less their mean over ImageNet. `imagenet`: to 0…1, then less the mean and by the spread of ImageNet.
`signed`: 128 less, then by 128, as EfficientNetV2-S has it.
"""


@dataclass(frozen=True)
class Network:
    """One network.

    Attributes:
        name: as typed.
        title: as read.
        family: networks built alike; `quick` takes the smallest of them.
        parameters: of the backbone, without a head (of our own networks: the whole network over eight classes).
        scaling: what `own` means for it, one of the other `SCALINGS`.
        published: whether weights trained on ImageNet are published for it.
        by_width: whether a recipe's `width` scales it.
        smallest: the least side in pixels that it takes.
    """

    name: str
    title: str
    family: str
    parameters: int
    scaling: str = "symmetric"
    published: bool = False
    by_width: bool = False
    smallest: int = 32

    @property
    def depthwise(self) -> bool:
        """Whether most of its convolutions are depthwise, which no CPU computes faster in 16 bits than in 32."""
        return self.family in ("mobilenetv2", "mobilenetv3", "efficientnet", "efficientnetv2", "convnext")


def _published(
    name: str, title: str, family: str, parameters: int, scaling: str, smallest: int = 32
) -> Network:
    return Network(name, title, family, parameters, scaling, True, False, smallest)


NETWORKS: dict[str, Network] = {
    network.name: network
    for network in (
        Network("resnet9", "ResNet-9", "resnet9", 0, by_width=True),
        Network("tiny", "Three convolutions", "tiny", 0, by_width=True),
        Network("r1cnn3", "R1, 3 convolutions", "r1cnn", 195_656),
        Network("r1cnn4", "R1, 4 convolutions", "r1cnn", 257_224, smallest=48),
        Network("r2basic", "R2, basic CNN", "r2basic", 316_168),
        Network("r4base", "R4, base CNN", "r4base", 3_985_480),
        Network("mobilenetv3light", "MobileNetV3 light, R2's own", "mobilenetv3", 1_691_768),
        Network("mobilenetv3heavy", "MobileNetV3 heavy, R2's own", "mobilenetv3", 42_279_544),
        _published("vgg16", "VGG16", "vgg", 14_714_688, "caffe"),
        _published("vgg19", "VGG19", "vgg", 20_024_384, "caffe"),
        _published("resnet50", "ResNet50", "resnet", 23_587_712, "caffe"),
        _published("resnet50v2", "ResNet50V2", "resnetv2", 23_564_800, "symmetric"),
        _published("resnet101v2", "ResNet101V2", "resnetv2", 42_626_560, "symmetric"),
        _published("inceptionv3", "InceptionV3", "inceptionv3", 21_802_784, "symmetric", 75),
        _published("mobilenetv2", "MobileNetV2", "mobilenetv2", 2_257_984, "symmetric"),
        _published("efficientnetb3", "EfficientNetB3", "efficientnet", 10_783_535, "imagenet"),
        _published("efficientnetv2b0", "EfficientNetV2-B0", "efficientnetv2", 5_919_312, "imagenet"),
        _published("efficientnetv2s", "EfficientNetV2-S", "efficientnetv2", 20_331_360, "signed"),
        Network("convnextatto", "ConvNeXt-Atto", "convnext", 3_374_520, "imagenet"),
        _published("convnexttiny", "ConvNeXt-Tiny", "convnext", 27_820_128, "imagenet"),
        _published("convnextsmall", "ConvNeXt-Small", "convnext", 49_454_688, "imagenet"),
        _published("convnextbase", "ConvNeXt-Base", "convnext", 87_566_464, "imagenet"),
        _published("convnextlarge", "ConvNeXt-Large", "convnext", 196_230_336, "imagenet"),
        _published("convnextxlarge", "ConvNeXt-XLarge", "convnext", 348_147_968, "imagenet"),
    )
}


def network_named(name: str) -> Network:
    """The network of that name; raises NotFound."""
    if name not in NETWORKS:
        raise NotFound("network", name, NETWORKS)
    return NETWORKS[name]


def smallest_of_family(name: str) -> str:
    """The network of the same family that a trial takes: the one with the fewest parameters."""
    family = network_named(name).family
    return min(
        (one for one in NETWORKS.values() if one.family == family), key=lambda one: one.parameters
    ).name
