package io.harmonica;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.Node;

/** What {@code pom.xml} says of the artifact and its dependencies. */
final class Pom {
  static final Path FILE = Path.of("pom.xml");

  private static final Pattern PROPERTY = Pattern.compile("\\$\\{(.+?)}");

  private final Element project;

  private Pom(Element project) {
    this.project = project;
  }

  /**
   * A dependency.
   *
   * @param artifact {@code group:name}
   * @param version empty where a BOM gives it
   */
  record Dependency(String artifact, String version, String scope, boolean optional) {}

  static Pom read() throws Exception {
    Document document =
        DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(FILE.toFile());
    return new Pom(document.getDocumentElement());
  }

  /** The text of an element, by its path in the project; empty where there is none. */
  String text(String path) {
    return text(project, path);
  }

  /** Of every project that uses ours. */
  List<Dependency> dependencies() {
    return dependencies(children(project, "dependencies").get(0));
  }

  /** Of the profiles, all together. */
  List<Dependency> dependenciesOfProfiles() {
    return children(children(project, "profiles").get(0), "profile").stream()
        .flatMap(profile -> children(profile, "dependencies").stream())
        .flatMap(all -> dependencies(all).stream())
        .toList();
  }

  private List<Dependency> dependencies(Element all) {
    return children(all, "dependency").stream()
        .map(
            one ->
                new Dependency(
                    text(one, "groupId") + ":" + text(one, "artifactId"),
                    text(one, "version"),
                    text(one, "scope"),
                    text(one, "optional").equals("true")))
        .toList();
  }

  private String text(Element from, String path) {
    Element element = from;
    for (String name : path.split("/")) {
      List<Element> found = children(element, name);
      if (found.isEmpty()) {
        return "";
      }
      element = found.get(0);
    }
    Matcher property = PROPERTY.matcher(element.getTextContent().strip());
    return property.replaceAll(p -> Matcher.quoteReplacement(text("properties/" + p.group(1))));
  }

  private static List<Element> children(Element element, String name) {
    List<Element> children = new ArrayList<>();
    for (Node node = element.getFirstChild(); node != null; node = node.getNextSibling()) {
      if (node instanceof Element child && child.getTagName().equals(name)) {
        children.add(child);
      }
    }
    return children;
  }
}
