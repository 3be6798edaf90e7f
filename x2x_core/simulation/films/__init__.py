"""Labelled pairs from unlabelled radiographs: lesions drawn on real films.

A film's lungs are found, its grey scale is measured, and a lesion is drawn in the film's own anatomy
(`x2x_core.simulation.films.chest`). A lesion is an optical thickness that is added to the film through its tone curve
(`x2x_core.simulation.films.tone`), so that ribs, vessels and grain go on under an opacity and nothing becomes brighter
than this film's own soft tissue. The film without the lesion and the film with it make a pair with an exact change map.
"""
