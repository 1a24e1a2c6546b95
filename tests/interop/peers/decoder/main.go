// Decodes OTLP as Go's own receivers do: reads trace requests from standard input, each behind its length in four bytes, and
// answers each with a byte that says whether it takes it and, behind its length, the request encoded again without what it
// does not know.
package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"log"
	"os"

	tracev1 "go.opentelemetry.io/proto/slim/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

func main() {
	in, out := bufio.NewReader(os.Stdin), bufio.NewWriter(os.Stdout)
	for {
		var length uint32
		if err := binary.Read(in, binary.LittleEndian, &length); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			log.Fatal(err)
		}
		request := make([]byte, length)
		if _, err := io.ReadFull(in, request); err != nil {
			log.Fatal(err)
		}
		if err := answer(out, request); err != nil {
			log.Fatal(err)
		}
	}
}

// A request is `TracesData` on the wire.
func answer(out *bufio.Writer, request []byte) error {
	var message tracev1.TracesData
	taken, again := byte(1), []byte(nil)
	if err := (proto.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(request, &message); err != nil {
		taken = 0
	} else if again, err = proto.Marshal(&message); err != nil {
		return err
	}
	if err := out.WriteByte(taken); err != nil {
		return err
	}
	if err := binary.Write(out, binary.LittleEndian, uint32(len(again))); err != nil {
		return err
	}
	if _, err := out.Write(again); err != nil {
		return err
	}
	return out.Flush()
}
