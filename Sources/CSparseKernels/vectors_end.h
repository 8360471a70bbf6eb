// Ends what vectors_template.h defines.
#undef INTS
#undef FLOATS
#undef LANES
