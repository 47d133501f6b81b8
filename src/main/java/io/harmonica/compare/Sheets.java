package io.harmonica.compare;

import io.harmonica.picture.ContactSheet;
import io.harmonica.picture.Latents;
import io.harmonica.picture.Pictures;
import io.harmonica.picture.Png;
import java.awt.image.BufferedImage;

/**
 * Contact sheets of the report.
 *
 * @param columns pictures in a row
 * @param scale pixels of the sheet for one of a picture
 * @param count pictures of a sheet
 */
record Sheets(int columns, int scale, int count) {
  /** By how much a difference of brightness is amplified. */
  static final int AMPLIFIED = 4;

  private static final int WIDE = 10;
  private static final int MOST_ROWS = 4;
  private static final int MOST_PIXELS = 1 << 19; // bounds the page to some megabytes
  private static final int LEGIBLE = 64;

  /** Sheets of as many of a report's pictures as fit; where classes are few, each has columns. */
  static Sheets of(Latents pictures, int classes) {
    int columns = classes <= 12 ? classes * Math.max(1, WIDE / classes) : WIDE;
    int fitting = Math.max(1, MOST_PIXELS / (pictures.height() * pictures.width()));
    int count = Math.min(pictures.count(), Math.min(MOST_ROWS * columns, fitting));
    if (count > columns) {
      count -= count % columns; // whole rows
    }
    return new Sheets(Math.min(columns, count), Math.max(1, LEGIBLE / pictures.width()), count);
  }

  /** The first pictures as a PNG file's bytes. */
  byte[] png(Latents pictures) {
    return Png.bytes(draw(pictures));
  }

  /** Width / height of a sheet, as CSS writes it. */
  String aspectRatio(Latents pictures) {
    BufferedImage sheet = draw(pictures);
    return sheet.getWidth() + " / " + sheet.getHeight();
  }

  private BufferedImage draw(Latents pictures) {
    return new ContactSheet(columns, scale).draw(Pictures.of(first(pictures)));
  }

  /** Where the first pictures differ, the brighter the more. */
  byte[] difference(Latents a, Latents b) {
    Latents first = first(a);
    float[] values = new float[first.values().length];
    for (int i = 0; i < values.length; i++) {
      float apart =
          Math.abs(Pictures.brightness(a.values()[i]) - Pictures.brightness(b.values()[i]));
      values[i] = Math.min(1, AMPLIFIED * apart) * 2 - 1; // as the model's own range
    }
    return png(new Latents(values, first.count(), first.channels(), first.height(), first.width()));
  }

  private Latents first(Latents pictures) {
    return pictures.count() <= count ? pictures : pictures.rows(0, count);
  }
}
