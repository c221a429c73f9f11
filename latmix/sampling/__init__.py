"""Pictures to noise and back: levels, the one deterministic step, inversion and generation.

Time runs one way in every formula: index 0 is the noisiest level, the last index the cleanest;
generation walks up the indices, inversion walks down. Guidance w is m_u + w (m_c - m_u): w = 1 is
the plain conditional network. Long work is a generator that yields `Step` and returns its result.
"""
