package io.harmonica.triton;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import com.google.protobuf.MessageOrBuilder;
import java.util.List;
import java.util.Map;

/** Protobuf messages in protobuf's JSON form, as Triton's repository API takes configurations. */
final class ProtoJson {
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  private ProtoJson() {}

  static ObjectNode of(MessageOrBuilder message) {
    ObjectNode object = JSON.objectNode();
    for (Map.Entry<FieldDescriptor, Object> field : message.getAllFields().entrySet()) {
      object.set(field.getKey().getName(), field(field.getKey(), field.getValue()));
    }
    return object;
  }

  private static JsonNode field(FieldDescriptor field, Object value) {
    if (field.isMapField()) {
      ObjectNode entries = JSON.objectNode();
      FieldDescriptor key = field.getMessageType().findFieldByNumber(1);
      FieldDescriptor content = field.getMessageType().findFieldByNumber(2);
      for (Object one : (List<?>) value) {
        Message entry = (Message) one;
        entries.set(entry.getField(key).toString(), value(entry.getField(content)));
      }
      return entries;
    }
    if (field.isRepeated()) {
      ArrayNode array = JSON.arrayNode();
      ((List<?>) value).forEach(one -> array.add(value(one)));
      return array;
    }
    return value(value);
  }

  private static JsonNode value(Object value) {
    if (value instanceof Message message) {
      return of(message);
    }
    if (value instanceof EnumValueDescriptor constant) {
      return JSON.textNode(constant.getName());
    }
    if (value instanceof Boolean bool) {
      return JSON.booleanNode(bool);
    }
    if (value instanceof Number number) {
      return JSON.numberNode(number.longValue()); // no configuration of ours has fractions
    }
    return JSON.textNode(value.toString());
  }
}
