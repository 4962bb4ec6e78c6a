// Asks fontconfig, once the usual places have no font or not the character.
#include "vision/font_files.h"

#include <unistd.h>

#include <memory>

#include "base/error.h"
#include "base/shared_library.h"
#ifdef EFFDET_FONTCONFIG
#include <fontconfig/fontconfig.h>
#endif

namespace effdet::vision {
namespace {

#ifdef EFFDET_FONTCONFIG
/// The functions of fontconfig that are used here. Names and types are those of its header.
struct Fontconfig {
  SharedLibrary library{EFFDET_FONTCONFIG, "libfontconfig1"};
#define EFFDET_FC_FUNCTION(name) decltype(Fc##name)* name = library.function<decltype(Fc##name)>("Fc" #name)
  EFFDET_FC_FUNCTION(Init);
  EFFDET_FC_FUNCTION(PatternCreate);
  EFFDET_FC_FUNCTION(PatternDestroy);
  EFFDET_FC_FUNCTION(PatternAddString);
  EFFDET_FC_FUNCTION(PatternAddCharSet);
  EFFDET_FC_FUNCTION(PatternAddBool);
  EFFDET_FC_FUNCTION(PatternGetString);
  EFFDET_FC_FUNCTION(PatternGetInteger);
  EFFDET_FC_FUNCTION(PatternGetCharSet);
  EFFDET_FC_FUNCTION(CharSetCreate);
  EFFDET_FC_FUNCTION(CharSetDestroy);
  EFFDET_FC_FUNCTION(CharSetAddChar);
  EFFDET_FC_FUNCTION(CharSetHasChar);
  EFFDET_FC_FUNCTION(ConfigSubstitute);
  EFFDET_FC_FUNCTION(DefaultSubstitute);
  EFFDET_FC_FUNCTION(FontMatch);
#undef EFFDET_FC_FUNCTION
};

/// character: 0 for any font.
FontFile match(uint32_t character) {
  static const Fontconfig fc;
  if (fc.Init() == FcFalse) return {};
  const std::unique_ptr<FcPattern, decltype(&FcPatternDestroy)> wanted(fc.PatternCreate(), fc.PatternDestroy);
  const std::unique_ptr<FcCharSet, decltype(&FcCharSetDestroy)> characters(fc.CharSetCreate(), fc.CharSetDestroy);
  if (!wanted || !characters) return {};
  fc.PatternAddString(wanted.get(), FC_FAMILY, reinterpret_cast<const FcChar8*>("sans"));
  fc.PatternAddBool(wanted.get(), FC_SCALABLE, FcTrue);
  if (character != 0) {
    fc.CharSetAddChar(characters.get(), character);
    fc.PatternAddCharSet(wanted.get(), FC_CHARSET, characters.get());
  }
  fc.ConfigSubstitute(nullptr, wanted.get(), FcMatchPattern);
  fc.DefaultSubstitute(wanted.get());
  FcResult result = FcResultNoMatch;
  const std::unique_ptr<FcPattern, decltype(&FcPatternDestroy)> found(fc.FontMatch(nullptr, wanted.get(), &result),
                                                                      fc.PatternDestroy);
  FcChar8* path = nullptr;
  if (!found || fc.PatternGetString(found.get(), FC_FILE, 0, &path) != FcResultMatch) return {};
  FcCharSet* has = nullptr;
  if (character != 0 && (fc.PatternGetCharSet(found.get(), FC_CHARSET, 0, &has) != FcResultMatch ||
                         fc.CharSetHasChar(has, character) == FcFalse))
    return {};
  FontFile font{reinterpret_cast<const char*>(path)};
  fc.PatternGetInteger(found.get(), FC_INDEX, 0, &font.index);
  return font;
}

FontFile matched(uint32_t character) try { return match(character); } catch (const Error&) {
  return {};  // fontconfig is not installed
}
#else
FontFile matched(uint32_t) { return {}; }
#endif

}  // namespace

FontFile plain_font() {
  for (const char* path : {"/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", "/usr/share/fonts/dejavu/DejaVuSans.ttf"})
    if (::access(path, R_OK) == 0) return {path};
  return matched(0);
}

FontFile font_with(uint32_t character) { return matched(character); }

}  // namespace effdet::vision
