#ifndef ESPALIER_DOUBLE_TILES_H
#define ESPALIER_DOUBLE_TILES_H

/// The most rows that a tile of any instruction set has.
enum { MOST_TILE_ROWS = 16 };

#endif
