"""The functions and layers that generated Keras code is put together from, as text: nothing here runs in the app.

They say for whoever copies them what `layers`, `own` and `drawing` do, without their keys.
"""

PARTS: dict[str, str] = {
    "clipped": '''
def clipped(images):
    """Grey levels as float32 within 0 to 255."""
    return tf.clip_by_value(tf.cast(images, tf.float32), 0.0, 255.0)
''',
    "between": '''
def between(low, high):
    """A strength for a KerasCV layer, uniform between two bounds."""
    return keras_cv.core.UniformFactorSampler(low, high)
''',
    "some_of": '''
def some_of(share, old, new):
    """`new` for a share of the images, `old` for the others; both are (images, labels)."""
    taken = tf.random.uniform([tf.shape(old[0])[0]]) < share
    return tf.where(taken[:, None, None, None], new[0], old[0]), tf.where(taken[:, None], new[1], old[1])
''',
    "one_of": '''
def one_of(branches, images, labels, per_batch):
    """One of the branches, drawn with equal chances for each image or once for the batch."""
    which = tf.random.uniform([1 if per_batch else tf.shape(images)[0]], 0, len(branches), tf.int32)
    return through(which, branches, images, labels, per_batch)
''',
    "sometimes": '''
def sometimes(probability, branch, images, labels, per_batch):
    """The branch with this probability, drawn for each image or once for the batch."""
    drawn = tf.random.uniform([1 if per_batch else tf.shape(images)[0]])
    which = tf.cast(drawn >= probability, tf.int32)
    return through(which, [branch, unchanged], images, labels, per_batch)
''',
    "unchanged": '''
def unchanged(images, labels):
    """The branch that does nothing."""
    return images, labels
''',
    "through": '''
def through(which, branches, images, labels, per_batch):
    """Images and labels, each through the branch of its number."""
    if per_batch:
        return tf.switch_case(which[0], [functools.partial(one, images, labels) for one in branches])
    rows, drawn, mixed = [], [], []
    for number, branch in enumerate(branches):
        own = tf.where(which == number)[:, 0]
        some, weights = tf.gather(images, own), tf.gather(labels, own)
        found = tf.cond(
            tf.size(own) > 0,
            functools.partial(branch, some, weights),
            functools.partial(unchanged, some, weights),
        )
        rows.append(own)
        drawn.append(found[0])
        mixed.append(found[1])
    back = tf.argsort(tf.concat(rows, 0))
    found = tf.gather(tf.concat(drawn, 0), back)
    return tf.ensure_shape(found, images.shape), tf.gather(tf.concat(mixed, 0), back)
''',
    "quarterturn": '''
def quarterturn(images):
    """Each image turned by 0, 90, 180 or 270 degrees."""
    turns = tf.random.uniform([tf.shape(images)[0]], 0, 4, tf.int32)[:, None, None, None]
    across = tf.transpose(images, (0, 2, 1, 3))
    by = [images, across[:, ::-1], images[:, ::-1, ::-1], across[:, :, ::-1]]
    return tf.where(turns < 2, tf.where(turns == 0, by[0], by[1]), tf.where(turns == 2, by[2], by[3]))
''',
    "crop": '''
def crop(images, amount, aspect):
    """A random part of each image, up to `amount` of its area smaller, resized to the full image."""
    count = [tf.shape(images)[0]]
    area, ratio = tf.random.uniform(count, 1 - amount, 1.0), tf.random.uniform(count, 1 - aspect, 1 + aspect)
    height = tf.clip_by_value(tf.sqrt(area / ratio), 0.0, 1.0)
    width = tf.clip_by_value(tf.sqrt(area * ratio), 0.0, 1.0)
    top = tf.random.uniform(count) * (1 - height)
    left = tf.random.uniform(count) * (1 - width)
    boxes = tf.stack([top, left, top + height, left + width], 1)
    found = tf.image.crop_and_resize(images, boxes, tf.range(count[0]), tf.shape(images)[1:3])
    return tf.ensure_shape(found, images.shape)
''',
    "scaleabs": '''
def scaleabs(images, alpha, beta):
    """|alpha · x + beta|, rounded and clipped, as OpenCV's convertScaleAbs."""
    return tf.round(tf.abs(alpha * images + beta))
''',
    "noise": '''
def noise(images, sigma, fixed):
    """Gaussian noise of `sigma` grey levels, or of as much as is drawn up to it for each image."""
    spread = sigma if fixed else tf.random.uniform([tf.shape(images)[0], 1, 1, 1], 0.0, sigma)
    return images + spread * tf.random.normal(tf.shape(images))
''',
    "blurred": '''
def blurred(layer, images, reach):
    """A blur that takes what lies outside for a mirror image, not for black."""
    around = ((0, 0), (reach, reach), (reach, reach), (0, 0))
    return layer(tf.pad(images, around, "SYMMETRIC"), training=True)[:, reach:-reach, reach:-reach]
''',
    "compressed": '''
def compressed(layer, images):
    """JPEG and back; the layer expects images in 0 to 1."""
    return 255.0 * layer(tf.clip_by_value(images / 255.0, 0.0, 1.0), training=True)
''',
    "covered": '''
def covered(layer, images):
    """A rectangle of each image grey, black or white; drawn on white, the layer tells where it is."""
    where = layer(tf.ones_like(images), training=True) < 0.5
    grey = tf.random.uniform([tf.shape(images)[0], 1, 1, 1], 0, 3, tf.int32)
    return tf.where(where, tf.gather(tf.constant([128.0, 0.0, 255.0]), grey), images)
''',
    "stained": '''
def stained(images, amount):
    """Each dye's concentration times 1 ± `amount` at most, along STAINS (azure B, eosin)."""
    density = tf.math.log(256.0) - tf.math.log(images + 1.0)
    onto = tf.constant(np.linalg.pinv(STAINS).T, tf.float32)
    amounts = tf.maximum(tf.tensordot(density, onto, [[3], [1]]), 0.0)
    dyed = tf.clip_by_value((tf.reduce_mean(density, 3, keepdims=True) - GROUND) / (STAINED - GROUND), 0.0, 1.0)
    change = tf.random.uniform([tf.shape(images)[0], 1, 1, 2], -1.0, 1.0) * amount
    vectors = tf.constant(STAINS, tf.float32)
    return 256.0 * tf.exp(-density - tf.tensordot(dyed * amounts * change, vectors, [[3], [0]])) - 1.0
''',
    "edges": '''
def edges(images, amount):
    """The background white and the edges (Sobel) black, blended with the image."""
    border = tf.concat([images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]], axis=1)
    light = tf.reduce_mean(border, 2)
    brightest = tf.math.top_k(light, tf.shape(light)[1] // 2).indices
    ground = tf.reduce_mean(tf.gather(border, brightest, batch_dims=1), 1)[:, None, None, :]
    far = tf.norm(images - ground, axis=3, keepdims=True)
    cell = tf.where(far > GROUND_LEVEL * tf.reduce_max(far, axis=(1, 2), keepdims=True), images, 255.0)
    grey = tf.reduce_mean(images, 3, keepdims=True)
    gradient = tf.norm(tf.image.sobel_edges(grey)[..., 0, :], axis=3, keepdims=True)
    drawn = cell * (1.0 - tf.clip_by_value(gradient / EDGE_LEVEL / 4.0, 0.0, 1.0))
    return images + amount * (drawn - images)
''',
    "corrupted": '''
def corrupted(images, kind, severity):
    """A corruption of MedMNIST-C, from bloodapp, of a severity drawn for each image from 1 up to `severity`."""

    def each(pixels):
        random = np.random.default_rng()
        done = []
        for one in np.round(pixels).astype(np.uint8):
            name = str(random.choice(list(CORRUPTIONS))) if kind == "any" else kind
            level, seed = int(random.integers(1, severity + 1)), int(random.integers(2**31))
            done.append(corrupt(one[None], name, level, seed)[0])
        return np.stack(done).astype(np.float32) if done else pixels

    return tf.ensure_shape(tf.numpy_function(each, [images], tf.float32), images.shape)
''',
    "SteadyAugMix": '''
class SteadyAugMix(keras_cv.layers.AugMix):
    """KerasCV's with strengths that grow: its own solarizes and posterizes the more, the lower the severity is."""

    def _posterize(self, image):
        shift = tf.cast(5 * self.severity_factor(), tf.uint8)
        cut = tf.bitwise.right_shift(tf.cast(image, tf.uint8), shift)
        return tf.cast(tf.bitwise.left_shift(cut, shift), tf.float32)

    def _solarize(self, image):
        return tf.where(image < 256.0 * (1 - self.severity_factor()), image, 255.0 - image)
''',
    "WavyFourierMix": '''
class WavyFourierMix(keras_cv.layers.FourierMix):
    """KerasCV's with the spectrum's two parts told apart: its own takes two rows of it, and so waves all one way."""

    def _sample_mask_from_transform(self, decay, shape, ch=1):
        parts = self._get_spectrum(self._apply_fftfreq(shape[0], shape[1]), decay, ch, shape[0], shape[1])
        mask = tf.signal.irfft2d(tf.complex(parts[..., 0], parts[..., 1]), shape)
        return mask[:1, : shape[0], : shape[1]]
''',
    "mixed_by": '''
def mixed_by(layer, images, labels):
    """What a layer makes of images and labels that it mixes."""
    found = layer({"images": images, "labels": labels}, training=True)
    return clipped(found["images"]), tf.ensure_shape(found["labels"], labels.shape)
''',
    "cut_and_mixed": '''
def cut_and_mixed(layer, images, labels):
    """CutMix with labels in proportion to what is seen: a fourth channel tells whose each pixel is."""
    count = tf.shape(images)[0]
    number = tf.cast(tf.range(count), tf.float32)[:, None, None, None]
    marked = tf.concat([images, number * tf.ones_like(images[..., :1])], 3)
    found = layer({"images": marked, "labels": labels}, training=True)["images"]
    whose = tf.reshape(tf.cast(tf.round(found[..., 3]), tf.int32), [count, -1])
    seen = tf.reduce_mean(tf.one_hot(whose, count), axis=1)
    return clipped(tf.ensure_shape(found[..., :3], images.shape)), tf.linalg.matmul(seen, labels)
''',
}
"""Functions and layers by name; they call each other and need `tf`, `np`, `keras_cv` and `functools`."""
