/**
 * Cuts prompts into the tokens that text encoders take.
 *
 * <p>Read {@link io.harmonica.text.Tokenizer}.
 */
package io.harmonica.text;
