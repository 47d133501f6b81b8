// Draws a picture of a seed in one request over HTTP: go run picture.go HOST:PORT MODEL CLASS GUIDANCE SEED OUT
package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
)

func main() {
	body := fmt.Sprintf(`{"outputs": [{"name": "image"}], "inputs": [
		{"name": "seed", "datatype": "INT64", "shape": [1,1], "data": [%s]},
		{"name": "class_label", "datatype": "INT64", "shape": [1,1], "data": [%s]},
		{"name": "guidance", "datatype": "FP32", "shape": [1,1], "data": [%s]}]}`, os.Args[5], os.Args[3], os.Args[4])
	response, err := http.Post("http://"+os.Args[1]+"/v2/models/"+os.Args[2]+"/infer", "application/json", strings.NewReader(body))
	var answer struct {
		Error   string
		Outputs []struct{ Shape, Data []int }
	}
	if err != nil || json.NewDecoder(response.Body).Decode(&answer) != nil || answer.Error != "" {
		panic(fmt.Sprint(err, answer.Error))
	}
	image := answer.Outputs[0]
	levels := strings.Trim(fmt.Sprint(image.Data), "[]")
	os.WriteFile(os.Args[6], fmt.Appendf(nil, "P3 %d %d 255 %s\n", image.Shape[2], image.Shape[1], levels), 0o644)
}
