package io.harmonica.model;

import io.harmonica.InvalidProperty;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The size of a picture in pixels. */
public record Resolution(int height, int width) {
  private static final Pattern TEXT = Pattern.compile("(\\d{1,5})x(\\d{1,5})");

  public Resolution {
    if (height < 1 || width < 1) {
      throw new InvalidProperty("resolution", "%dx%d must be positive".formatted(height, width));
    }
  }

  /** Reads {@code 512x768}, height first. */
  public static Resolution parse(String text) {
    Matcher sizes = TEXT.matcher(text);
    if (!sizes.matches()) {
      throw new InvalidProperty(
          "resolution",
          "'%s' is no size, expected HEIGHTxWIDTH in pixels, such as 512x768".formatted(text));
    }
    return new Resolution(Integer.parseInt(sizes.group(1)), Integer.parseInt(sizes.group(2)));
  }

  @Override
  public String toString() {
    return height + "x" + width;
  }
}
