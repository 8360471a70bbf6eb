// Ends what eights_template.h defines.
#undef SIXTEEN
#undef EIGHT
