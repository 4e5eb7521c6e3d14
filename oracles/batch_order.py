"""The order in which Etalon visits samples, from its definition.

Each epoch shuffles the samples from the last to the first (Fisher and Yates), with numbers of ChaCha8 whose key is
(seed, epoch), 64 bits each, and whose stream is 2; then cuts them into whole batches. A batch of all samples is in the
order of the data.
"""

STREAM = 2
WORD, LONG = (1 << 32) - 1, (1 << 64) - 1


def block(key, counter):
    """16 words of ChaCha with 8 rounds (Bernstein 2008), its counter and its nonce of 64 bits each."""
    start = [
        *(int.from_bytes(b"expand 32-byte k"[i : i + 4], "little") for i in range(0, 16, 4)),
        *key,
        *(counter & WORD, counter >> 32, STREAM & WORD, STREAM >> 32),
    ]
    state = list(start)

    def quarter(a, b, c, d):
        for x, y, z, bits in [(a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)]:
            state[x] = (state[x] + state[y]) & WORD
            mixed = state[z] ^ state[x]
            state[z] = (mixed << bits | mixed >> (32 - bits)) & WORD

    for _ in range(4):
        for column in range(4):
            quarter(column, column + 4, column + 8, column + 12)
        for i in range(4):
            quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return [(a + b) & WORD for a, b in zip(start, state)]


def numbers(seed, epoch):
    """Numbers of 64 bits without end."""
    key = [seed & WORD, seed >> 32, epoch & WORD, epoch >> 32, 0, 0, 0, 0]
    counter = 0
    while True:
        words = block(key, counter)
        yield from (low | high << 32 for low, high in zip(words[::2], words[1::2]))
        counter += 1


def below(generator, n):
    """Uniform on 0 to n - 1 (Lemire 2019)."""
    while True:
        product = next(generator) * n
        if product & LONG >= (1 << 64) % n:
            return product >> 64


def indices(seed, samples, batch, step):
    """The samples that a step visits."""
    if batch == samples:
        return list(range(samples))
    epoch, place = divmod(step, samples // batch)
    order, generator = list(range(samples)), numbers(seed, epoch)
    for last in range(samples - 1, 0, -1):
        other = below(generator, last + 1)
        order[last], order[other] = order[other], order[last]
    return order[place * batch : (place + 1) * batch]
