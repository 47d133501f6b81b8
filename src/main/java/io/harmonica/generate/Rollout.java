package io.harmonica.generate;

import io.harmonica.router.Tiers;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Routers by share, to roll one out: {@code fast:10%,none:90%}. Which one a request gets follows
 * from its key alone, so a user keeps theirs; and those who have the first keep it when its share
 * grows.
 *
 * <pre>{@code
 * Rollout rollout = Rollout.parse("fast:10%,none:90%");
 * Result result = pipeline.generate(request.withRouter(rollout.router(userId)));
 * }</pre>
 *
 * <p>Immutable, for many threads.
 *
 * @param shares in order, together 100 %
 */
public record Rollout(List<Share> shares) {
  private static final Pattern FORM = Pattern.compile("((?:tier:)?[^:%,\\s]+):(\\d+(?:\\.\\d+)?)%");
  private static final double ROUNDING = 1e-9;

  /** A router's name, {@code none} or {@code tier:} and a tier, and its part of all keys. */
  public record Share(String router, double percent) {}

  public Rollout {
    shares = List.copyOf(shares);
    double sum = shares.stream().mapToDouble(Share::percent).sum();
    if (Math.abs(sum - 100) > ROUNDING) {
      throw new IllegalArgumentException(
          "router shares are %s %% together, expected 100".formatted(sum));
    }
    if (shares.stream().map(Share::router).distinct().count() < shares.size()) {
      throw new IllegalArgumentException("router shares name a router twice");
    }
  }

  /** Reads {@code fast:10%,none:90%}; a name alone is all. */
  public static Rollout parse(String text) {
    List<Share> shares = new ArrayList<>();
    for (String part : text.split(",", -1)) {
      Matcher form = FORM.matcher(part.strip());
      if (form.matches()) {
        shares.add(new Share(form.group(1), Double.parseDouble(form.group(2))));
      } else if (!text.contains(",")
          && !Tiers.named(text).orElse(text).contains(":")
          && !text.isBlank()) {
        shares.add(new Share(text.strip(), 100));
      } else {
        throw new IllegalArgumentException(
            "'%s' is no router's share, expected NAME:N%% with commas between, such as fast:10%%,none:90%%"
                .formatted(part.strip()));
      }
    }
    return new Rollout(shares);
  }

  /**
   * The router of a request.
   *
   * @param key of whoever is to have the same one each time, a user's for example
   */
  public String router(String key) {
    double at = 100 * place(key);
    double end = 0;
    for (Share share : shares) {
      end += share.percent();
      if (at < end) {
        return share.router();
      }
    }
    return shares.get(shares.size() - 1).router();
  }

  /** Where a key lies in 0..1, evenly, and anywhere the same. */
  private static double place(String key) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
      long bits = 0;
      for (int i = 0; i < 7; i++) {
        bits = bits << 8 | digest[i] & 0xff;
      }
      return bits / (double) (1L << 56);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every Java has SHA-256
    }
  }
}
