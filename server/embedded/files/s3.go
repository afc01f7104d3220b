package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// bucket keeps each file as an object of an S3 bucket.
type bucket struct {
	client *minio.Client
	name   string
}

// The storage gets s3Patience to answer a question, and for content besides
// the time that a slow line (slowest, in bytes a second) needs.
const (
	s3Patience = 15 * time.Second
	slowest    = 256 << 10
)

func openS3(ctx context.Context, address *url.URL) (*bucket, error) {
	name := strings.Trim(address.Path, "/")
	if name == "" || strings.Contains(name, "/") || address.User == nil {
		return nil, errors.New("files: the object storage is given as s3://KEY:SECRET@HOST:PORT/BUCKET?region=NAME&tls=true")
	}
	secret, _ := address.User.Password()
	query := address.Query()
	secure := query.Get("tls") == "true"
	transport, err := minio.DefaultTransport(secure)
	if err != nil {
		return nil, fmt.Errorf("files: object storage %s: %w", address.Host, err)
	}
	transport.ResponseHeaderTimeout = s3Patience
	client, err := minio.New(address.Host, &minio.Options{
		Creds:     credentials.NewStaticV4(address.User.Username(), secret, ""),
		Secure:    secure,
		Region:    query.Get("region"),
		Transport: transport,
	})
	if err != nil {
		return nil, fmt.Errorf("files: object storage %s: %w", address.Host, err)
	}
	ctx, cancel := context.WithTimeout(ctx, s3Patience)
	defer cancel()
	exists, err := client.BucketExists(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("files: the object storage at %s cannot be reached: %w", address.Host, err)
	}
	if !exists {
		if err := client.MakeBucket(ctx, name, minio.MakeBucketOptions{Region: query.Get("region")}); err != nil {
			return nil, fmt.Errorf("files: the bucket %s at %s is missing and cannot be made: %w", name, address.Host, err)
		}
	}
	return &bucket{client: client, name: name}, nil
}

func (b *bucket) Put(ctx context.Context, key string, content io.Reader, size int64) error {
	if err := checkPut(key, size); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s3Patience+time.Duration(size/slowest)*time.Second)
	defer cancel()
	// A known size lets the storage refuse a content that ends early.
	content = &exact{reader: content, left: size}
	if _, err := b.client.PutObject(ctx, b.name, key, content, size, minio.PutObjectOptions{}); err != nil {
		return fmt.Errorf("files: put %s: %w", key, err)
	}
	return nil
}

// exact fails a content that goes on after its announced size. It looks ahead
// before it hands out the last byte: once that is sent, the object is in place.
type exact struct {
	reader io.Reader
	left   int64
}

func (e *exact) Read(into []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	n, err := e.reader.Read(into[:min(int64(len(into)), e.left)])
	e.left -= int64(n)
	if e.left > 0 || err != nil && err != io.EOF {
		return n, err
	}
	if more, _ := io.ReadFull(e.reader, make([]byte, 1)); more > 0 {
		return 0, errors.New("the content is longer than was announced")
	}
	return n, err
}

func (b *bucket) Get(ctx context.Context, key string) (io.ReadSeekCloser, fs.FileInfo, error) {
	if err := checkKey(key); err != nil {
		return nil, nil, err
	}
	opened, err := b.client.GetObject(ctx, b.name, key, minio.GetObjectOptions{})
	if err != nil {
		return nil, nil, fmt.Errorf("files: get %s: %w", key, missing(err))
	}
	info, err := opened.Stat()
	if err != nil {
		_ = opened.Close()
		return nil, nil, fmt.Errorf("files: get %s: %w", key, missing(err))
	}
	return opened, object{info}, nil
}

func (b *bucket) Delete(ctx context.Context, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s3Patience)
	defer cancel()
	if err := b.client.RemoveObject(ctx, b.name, key, minio.RemoveObjectOptions{}); err != nil && !errors.Is(missing(err), fs.ErrNotExist) {
		return fmt.Errorf("files: delete %s: %w", key, err)
	}
	return nil
}

func (b *bucket) Stat(ctx context.Context, key string) (fs.FileInfo, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s3Patience)
	defer cancel()
	info, err := b.client.StatObject(ctx, b.name, key, minio.StatObjectOptions{})
	if err != nil {
		return nil, fmt.Errorf("files: stat %s: %w", key, missing(err))
	}
	return object{info}, nil
}

// missing turns the storage's "no such key" into fs.ErrNotExist.
func missing(err error) error {
	if minio.ToErrorResponse(err).StatusCode == http.StatusNotFound {
		return fs.ErrNotExist
	}
	return err
}

// object shows an S3 object as a file.
type object struct{ info minio.ObjectInfo }

func (o object) Name() string       { return o.info.Key }
func (o object) Size() int64        { return o.info.Size }
func (o object) Mode() fs.FileMode  { return 0o600 }
func (o object) ModTime() time.Time { return o.info.LastModified }
func (o object) IsDir() bool        { return false }
func (o object) Sys() any           { return o.info }
