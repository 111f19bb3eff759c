"""What a person sees in the worst mistakes: one sentence for each pair, by the names of its pictures.

A pair that is not here is told by its evidence alone; look at it in the strip, and write what you see.
"""

from __future__ import annotations

WHY: dict[str, str] = {
    # other cartons that look the same
    "God-Morgon-Orange-Red-Grapefruit-Juice_005.jpg ~ God-Morgon-Red-Grapefruit-Juice_008.jpg": (
        "Two juices of one series: black carton, brand and glass are printed alike, the fruit is not."
    ),
    "Alpro-Vanilla-Soyghurt_003.jpg ~ Alpro-Blueberry-Soyghurt_004.jpg": (
        "Two flavours: the brand's lettering and the swirl agree, a small fruit differs."
    ),
    "Arla-Medium-Fat-Milk_002.jpg ~ Arla-Standard-Milk_002.jpg": (
        "Two fat contents from one angle: only the colour of top and lettering tells them apart."
    ),
    "Alpro-Fresh-Soy-Milk_003.jpg ~ Alpro-Vanilla-Soyghurt_003.jpg": (
        "Milk and yoghurt of one brand, held alike before like shelves."
    ),
    "Alpro-Fresh-Soy-Milk_008.jpg ~ Alpro-Shelf-Soy-Milk_007.jpg": (
        "The fresh and the shelf-stable milk of one brand; a person has to read them too."
    ),
    "God-Morgon-Apple-Juice_006.jpg ~ God-Morgon-Orange-Juice_003.jpg": (
        "Two juices of one series, held alike: all but the fruit and its name is one print."
    ),
    # one carton, not recognised
    "Arla-Medium-Fat-Milk_008.jpg ~ Arla-Medium-Fat-Milk_003.jpg": "One shows the side with the small print.",
    "Yoggi-Strawberry-Yoghurt_003.jpg ~ Yoggi-Strawberry-Yoghurt_003.jpg": "One is seen from above, by its cap.",
    "Arla-Ecological-Medium-Fat-Milk_003.jpg ~ Arla-Ecological-Medium-Fat-Milk_005.jpg": (
        "Front and back, and the second stands among many others."
    ),
    "Arla-Mild-Vanilla-Yoghurt_004.jpg ~ Arla-Mild-Vanilla-Yoghurt_003.jpg": "Another side, and lying.",
    "Bravo-Apple-Juice_002.jpg ~ Bravo-Apple-Juice_002.jpg": (
        "The same front, turned by about 60 degrees: points of objects are compared up to smaller turns only."
    ),
    "Garant-Ecological-Standard-Milk_001.jpg ~ Garant-Ecological-Standard-Milk_004.jpg": (
        "The same front, tilted and turned by some 30 degrees, and smaller."
    ),
    # other groceries that look the same
    "God-Morgon-Orange-Juice_002.jpg ~ God-Morgon-Orange-Red-Grapefruit-Juice_004.jpg": (
        "Both photos show several cartons of one series; the flavour beside it is in the other picture as well."
    ),
    "God-Morgon-Apple-Juice_003.jpg ~ God-Morgon-Orange-Red-Grapefruit-Juice_004.jpg": (
        "Two juices of one series, held alike."
    ),
    "Honeydew-Melon_006.jpg ~ Lemon_004.jpg": "Yellow fruit in heaps; nothing in the pictures tells their size.",
    "Galia-Melon_007.jpg ~ Solid-Potato_001.jpg": "Round, ochre, spotted, in heaps.",
    # garments of several people
    "b167f39f-eea8-4f69-9494-e2346bd7e2c5.jpg ~ cbe9f7f8-b3b5-4d45-aab6-30c2f904bb18.jpg": (
        "A jacket and a dress: both black, with sleeves, laid flat on white."
    ),
    # copies, not recognised
    "f76c45fe-f4ec-4887-bb73-440c92822501.jpg ~ text": (
        "The lettering covers the print, which is most of what can be compared; the floor is dark and even."
    ),
    "71238a2e-59be-4d4b-ac0e-9739d13fd41d.jpg ~ text": (
        "Black shorts and a faint sheet have hardly any texture beside the lettering."
    ),
    "600e6a2d-1177-4918-9760-610f2d89dc30.jpg ~ sepia": (
        "The floor was brown before and the trousers were not: as if they had been dyed."
    ),
    "Lemon_007.jpg ~ sepia": (
        "Only the lemons had a colour, and the greys around took hardly any brown: as if they had been bleached."
    ),
    "f315fe31-fa7a-4c1d-a461-3e67ffe6f981.jpg ~ colour cast": (
        "The white wall turns green and the dark jacket stays: as if the wall had been painted."
    ),
}
